"""Proposals for catalogue teams: written to a sheet, and into the shop's files only when a person accepts them."""
