"""What a fleet's broker costs, and how long people wait: on a virtual clock."""
