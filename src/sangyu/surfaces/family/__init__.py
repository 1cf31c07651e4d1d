"""The elder's and family's pages in the elder edition (长辈版): one question a page, big tiles, plain words (ux §6E)."""
