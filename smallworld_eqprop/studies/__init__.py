"""Studies: runs recorded in folders, and grids of them."""
