"""The conditional logit: choice sets, likelihood, fits of categories, diagnostics."""
