"""Recipes that make the embedded model (models/textbind-mini) from registry packages."""
