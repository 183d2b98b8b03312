"""A job: its plan, its state and checkpoints, its progress and its report."""
