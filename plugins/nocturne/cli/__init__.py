"""The `nocturne` command."""
