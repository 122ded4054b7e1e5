"""The two-stage TextBind trainer: a config file in, JSON lines out, checkpoint folders with a manifest written last."""
