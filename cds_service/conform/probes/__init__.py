"""What is sent to a service. Probes only look; whether it is right is judged in `checks`."""
