"""The file of a person as a thing: its papers, the checks of it, the code on the elder's card."""
