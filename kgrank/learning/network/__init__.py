"""The optional torch network of prior means; the only code that imports torch and Lightning."""
