"""The return file of a bank as an import."""
