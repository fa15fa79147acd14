"""What the model says, quicker: held to its plain form by the tests."""
