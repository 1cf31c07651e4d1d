"""Dispatch ranks who could do a visit, with reasons. It changes nothing: orders owns every transition."""
