"""Mixed load while the database, the FHIR server and the service's processes fail, one after the other."""
