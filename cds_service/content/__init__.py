"""Clinical content as a whole: checked, printed as review sheets, exported as FHIR.

Works on any service found through the entry-point group `cds_service.services`.
"""
