"""How the built-in model is made. Nobody imports this room."""
