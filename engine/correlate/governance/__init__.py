"""How KPIs are governed: targets that nobody looks at, green boards over what falls, KPIs that lead nowhere."""
