"""Places of care: institutions, stations, canteens …, their dated facts, and who lives in them."""
