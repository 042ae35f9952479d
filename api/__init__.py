"""HTTP: routes, roles, problem details, the console."""
