"""Every citation once. `tag`: `read` in the source named, `secondary` (reported by another source), `memory`."""

from __future__ import annotations

from cds_service.api import Citation

E1 = Citation(
    "E1",
    "Nigwekar SU et al. J Am Soc Nephrol 2016;27:3421-9",
    2016,
    "read",
    doi="10.1681/ASN.2015091065",
    pmid="27080977",
)
E3 = Citation(
    "E3",
    "Hayashi M et al. Nephrol Dial Transplant 2012",
    2012,
    "read",
    doi="10.1093/ndt/gfr658",
    pmid="22121234",
)
E4 = Citation(
    "E4",
    "Brandenburg VM et al. Nephrol Dial Transplant 2017;32:126-32",
    2017,
    "read",
    doi="10.1093/ndt/gfv438",
    pmid="26908770",
)
E7 = Citation(
    "E7",
    "Weenig RH et al. J Am Acad Dermatol 2007;56:569-79",
    2007,
    "read",
    doi="10.1016/j.jaad.2006.08.065",
    pmid="17141359",
)
E10 = Citation("E10", "Zacharias JM et al. Perit Dial Int 1999;19:248-52", 1999, "read", pmid="10433161")
E20 = Citation(
    "E20",
    "NKF KDOQI Clinical Practice Guidelines for Bone Metabolism and Disease in CKD, guideline 6",
    2003,
    "read",
)
E22 = Citation("E22", "KDIGO CKD-MBD 2017 update, Kidney Int Suppl 2017;7:1-59", 2017, "secondary")
E23 = Citation(
    "E23", "Targets and monitoring intervals as tabulated in PMC3705332 and PMC3770279", 2013, "read"
)
E23B = Citation("E23b", "PMC3770279, Table 3", 2013, "read")
E25 = Citation("E25", "Calcium acetate product labels", None, "read")
E26 = Citation("E26", "Calcitriol (Calcijex) label; doxercalciferol label", None, "read")
E27 = Citation("E27", "Clase CM et al. Nephrol Dial Transplant 2000", 2000, "read")
E31 = Citation(
    "E31",
    "Reinecke H et al. AXADIA-AFNET 8, Circulation 2023;147:296-309",
    2023,
    "read",
    doi="10.1161/CIRCULATIONAHA.122.062779",
)
E32 = Citation("E32", "Pokorney SD et al. RENAL-AF, Circulation 2022", 2022, "read")
E33 = Citation("E33", "Digest of RE-ALIGN, PROACT Xa and ACC/AHA valve guidance", None, "secondary")
E34 = Citation("E34", "MHRA Drug Safety Update, June 2019: DOACs in antiphospholipid syndrome", 2019, "read")
E36 = Citation("E36", "Wen W et al. JAMA Netw Open 2023;6:e2310068", 2023, "read", pmid="37099293")
E41 = Citation(
    "E41",
    "Nigwekar SU et al. J Am Soc Nephrol 2017",
    2017,
    "read",
    url="https://pmc.ncbi.nlm.nih.gov/articles/PMC5461787/",
)
E49 = Citation("E49", "PMC10557543, Table 3", None, "read")
E55 = Citation("E55", "Warfarin label digest (pregnancy)", None, "secondary")
E60 = Citation("E60", "MHRA Drug Safety Update, July 2016: warfarin and calciphylaxis", 2016, "read")
E61 = Citation("E61", "Medsafe Prescriber Update 38(3)", 2017, "read")
CITATIONS: tuple[Citation, ...] = (
    E1,
    E3,
    E4,
    E7,
    E10,
    E20,
    E22,
    E23,
    E23B,
    E25,
    E26,
    E27,
    E31,
    E32,
    E33,
    E34,
    E36,
    E41,
    E49,
    E55,
    E60,
    E61,
)
