"""The data scientist's side: trains the model that the app serves. Needs the dependency group `training`."""
