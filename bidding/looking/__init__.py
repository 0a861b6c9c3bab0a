"""Lists for those who look: one SELECT each, nothing locked, nothing written, no price of a sealed bid.

Every list is narrowed in the database to what its actor may know, in a fixed order, page by page. The dataclasses are
what a look shows, and are shown as they stand.
"""
