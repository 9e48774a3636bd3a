"""How people differ: the population's random coefficients, and one person's."""
