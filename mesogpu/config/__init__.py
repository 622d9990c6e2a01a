"""From YAML to one frozen `Experiment`."""
