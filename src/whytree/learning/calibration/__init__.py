"""Are we any good at predicting, and on what? Over all of us; nobody is ranked or named."""
