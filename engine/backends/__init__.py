"""Ways to reach a model, behind one Protocol (`base.Backend`)."""
