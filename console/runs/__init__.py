"""What a training run is: builds, containers, cards and measurements joined. Pure functions over model and logs."""
