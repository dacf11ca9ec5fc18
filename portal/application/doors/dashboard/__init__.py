"""The staff's screens: each one named operation, one template; forms are named mutations."""
