"""Events of settlement: ``settlement.<state>`` with id and action, from the workflow."""
