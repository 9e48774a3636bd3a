"""The mathematics of choices, without torch: design columns, the logit and its optimum, people, importance."""
