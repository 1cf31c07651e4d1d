"""Regions: the dated tree from country to community that every scope hangs on (R-001)."""
