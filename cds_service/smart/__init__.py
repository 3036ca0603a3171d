"""SMART App Launch (EHR launch, authorisation code with PKCE) for the trend page, all on the server.

The OAuth steps are Authlib's; the requests go through the bounded exchange of `fhir.client`. A token lives in
this process, and only while one page is built.
"""
