"""Death, move, institution, hospital, return home: what happened to a person and what has to stop or change because of it."""
