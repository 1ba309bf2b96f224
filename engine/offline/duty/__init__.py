"""What a person on call wants to know of the reviews, from their triggers alone. Pure: the time is a parameter."""
