"""The elder page: everything the rooms know of one person on one page, and the search of the top bar."""
