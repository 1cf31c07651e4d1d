"""The hotline desk: from a call to a dispatched worker without leaving the page (R-079, R-087)."""
