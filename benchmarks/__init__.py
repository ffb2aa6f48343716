"""Our attacks beside the same attacks of other libraries: seconds, passes, memory, and the accuracy that is left."""
