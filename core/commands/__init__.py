"""`python -m core …`: every action of the app is also a command. One file a group."""
