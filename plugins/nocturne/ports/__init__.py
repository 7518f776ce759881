"""What the world must do for us: one small abstract class for each outside system."""
