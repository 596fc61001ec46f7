"""History in, verdict out: pure, so that an old run can be put to a new claim."""
