"""Every citation once, under its key in the clinical document.

`tag` says how it was read: `read` in the source named (article, abstract, table, label text or page),
`secondary` (reported by another source), `memory` (to be checked before anyone relies on it).
A DOI, PMID or PMC number is given only where it was read; none is ever completed by guess.
"""

from __future__ import annotations

from cds_service.api import Citation

_READ, _SECONDARY, _MEMORY = "read", "secondary", "memory"
_all: list[Citation] = []


def _cite(
    key: str, label: str, year: int | None, tag: str = _READ, *, doi: str = "", pmid: str = "", pmc: str = ""
) -> Citation:
    """One citation; `pmc` becomes its address in PubMed Central."""
    url = f"https://pmc.ncbi.nlm.nih.gov/articles/{pmc}/" if pmc else ""
    citation = Citation(key, label, year, tag, doi, pmid, url)
    _all.append(citation)
    return citation


# Risk factors, incidence, outcome
E1 = _cite(
    "E1",
    "Nigwekar SU et al. J Am Soc Nephrol 2016;27:3421-9 (abstract)",
    2016,
    doi="10.1681/ASN.2015091065",
    pmid="27080977",
    pmc="PMC5084892",
)
E2 = _cite("E2", "Renal & Urology News article 491846 on E1 (effect sizes)", None, _SECONDARY)
E3 = _cite(
    "E3", "Hayashi M et al. Nephrol Dial Transplant 2012", 2012, doi="10.1093/ndt/gfr658", pmid="22121234"
)
E4 = _cite(
    "E4",
    "Brandenburg VM et al. Nephrol Dial Transplant 2017;32:126-32 (German registry)",
    2017,
    doi="10.1093/ndt/gfv438",
    pmid="26908770",
)
E5 = _cite("E5", "Galloway PAG et al. Nephron 2015;129 (Cambridge repository 1810/247028)", 2015)
E6 = _cite("E6", "Mazhar AR et al. Kidney Int 2001;60:324-32", 2001, doi="10.1046/j.1523-1755.2001.00803.x")
E7 = _cite(
    "E7",
    "Weenig RH et al. J Am Acad Dermatol 2007;56:569-79",
    2007,
    doi="10.1016/j.jaad.2006.08.065",
    pmid="17141359",
)
E8 = _cite("E8", "Fraser Health case-control study (read.qxmd.com)", None, pmid="36036088")
E9 = _cite("E9", "Liu Y et al. Front Med 2022;9:902171", 2022, pmc="PMC9226545")
E10 = _cite("E10", "Zacharias JM et al. Perit Dial Int 1999;19:248-52", 1999, pmid="10433161")
E11 = _cite("E11", "Zhang Y et al. Int J Nephrol Renovasc Dis 2016;9:235-41", 2016)
E12 = _cite("E12", "Fine A, Zacharias J. Kidney Int 2002 (abstract)", 2002)
E13 = _cite(
    "E13",
    "Floege J et al. Clin J Am Soc Nephrol 2015;10:800-7",
    2015,
    doi="10.2215/CJN.10221014",
    pmc="PMC4422249",
)
E14 = _cite(
    "E14",
    "Dobry AS et al. JAMA Dermatol 2018;154:182-7",
    2018,
    doi="10.1001/jamadermatol.2017.4920",
    pmc="PMC5839276",
)
E15 = _cite("E15", "el-Azhary RA et al. Mayo Clin Proc 2016", 2016, doi="10.1016/j.mayocp.2016.06.026")
E16 = _cite("E16", "Wickens O et al. J Clin Med 2022;11:5779", 2022, doi="10.3390/jcm11195779")
E17 = _cite(
    "E17",
    "Multicentre update, J Am Acad Dermatol 2025",
    2025,
    doi="10.1016/j.jaad.2025.04.081",
    pmid="40409721",
)
E18 = _cite("E18", "Post-transplant series, Clin Kidney J 2022", 2022, pmid="35371461")
E19 = _cite("E19", "Yu WY et al. JAMA Dermatol 2017;153:309-14", 2017, doi="10.1001/jamadermatol.2016.4821")

# Guidelines, targets, labels, calcium correction
E20 = _cite(
    "E20",
    "NKF KDOQI Clinical Practice Guidelines for Bone Metabolism and Disease in CKD, guideline 6",
    2003,
)
E21 = _cite("E21", "KDOQI paediatric bone guidelines, guideline 7", None)
E22 = _cite(
    "E22",
    "KDIGO CKD-MBD 2017 update, Kidney Int Suppl 2017;7:1-59 (public summaries; full wording not read)",
    2017,
    _SECONDARY,
)
E23 = _cite(
    "E23", "Targets and monitoring intervals as tabulated in PMC3705332 and PMC3770279 (Table 1)", 2013
)
E23B = _cite("E23b", "PMC3770279, Table 3", 2013, pmc="PMC3770279")
E24 = _cite("E24", "Guideline comparison tables on kdigo.org (CARI; UK Renal Association 2007)", None)
E25 = _cite("E25", "Calcium acetate product labels", None)
E26 = _cite("E26", "Calcitriol (Calcijex) label; doxercalciferol label", None)
E27 = _cite("E27", "Clase CM et al. Nephrol Dial Transplant 2000 (50 HD patients)", 2000)
E28 = _cite("E28", "Jain A et al. Nephrol Dial Transplant 2008;23:2884-8", 2008, pmid="18388119")
E29 = _cite("E29", "Journal of the Japanese Society for Dialysis Therapy 2018;51:103-7", 2018)

# Anticoagulants
E30 = _cite("E30", "Apixaban label (FDA labelling changes 2014 and 2016; boxed warning)", 2016)
E31 = _cite(
    "E31",
    "Reinecke H et al. AXADIA-AFNET 8, Circulation 2023;147:296-309",
    2023,
    doi="10.1161/CIRCULATIONAHA.122.062779",
)
E32 = _cite("E32", "Pokorney SD et al. RENAL-AF, Circulation 2022", 2022)
E33 = _cite("E33", "Digest of RE-ALIGN, PROACT Xa and ACC/AHA valve guidance", None, _SECONDARY)
E34 = _cite("E34", "MHRA Drug Safety Update, June 2019: DOACs in antiphospholipid syndrome", 2019)
E35 = _cite("E35", "Digest of regional positions on apixaban in dialysis", None, _SECONDARY)

# Treatment
E36 = _cite("E36", "Wen W et al. JAMA Netw Open 2023;6:e2310068", 2023, pmid="37099293")
E37 = _cite("E37", "Udomkarnjananun S et al. Kidney Int Rep 2019 (147 articles)", 2019)
E38 = _cite(
    "E38",
    "Sinha S et al. CALCIPHYX, EClinicalMedicine 2024;75:102784",
    2024,
    doi="10.1016/j.eclinm.2024.102784",
)
E39 = _cite("E39", "Edinburgh renal unit handbook, sodium thiosulphate", None)
E39B = _cite("E39b", "Hundemer GL et al. Am J Kidney Dis 2016", 2016)
E39C = _cite("E39c", "Gossett C et al. Medicina 2023;59:1306", 2023)
E40 = _cite(
    "E40",
    "Teriparatide and calciphylaxis, Osteoporos Int 2021",
    2021,
    doi="10.1007/s00198-021-06139-3",
)
E41 = _cite("E41", "Nigwekar SU et al. J Am Soc Nephrol 2017", 2017, pmc="PMC5461787")

# Diagnosis, alerts, further reading
E42 = _cite("E42", "Dermatology Advisor report of a biopsy cohort (J Am Acad Dermatol)", None, _SECONDARY)
E43 = _cite(
    "E43",
    "Interview with D. Kroshinsky (medicalresearch.com) on a bone-scan study in JAMA Dermatol",
    None,
    _SECONDARY,
)
E44 = _cite("E44", "Gabel CK et al. J Am Acad Dermatol 2021;85", 2021, doi="10.1016/j.jaad.2021.03.035")
E45 = _cite(
    "E45",
    "Shah SN et al. J Am Med Inform Assoc 2021;28:1081-7 (AHRQ PSNet digest)",
    2021,
    _SECONDARY,
    doi="10.1093/jamia/ocaa222",
)
E46 = _cite("E46", "JMIR Med Inform 2020;8(7):e15653 (review of alert overrides)", 2020, doi="10.2196/15653")
E47 = _cite("E47", "Chinnadurai R et al. J Nephrol 2021", 2021, pmc="PMC8494680")
E48 = _cite("E48", "Garza-Mayers AC et al. Am J Nephrol 2018;48:168-71", 2018)
E49 = _cite("E49", "PMC10557543, Table 3", None, pmc="PMC10557543")
E50 = _cite(
    "E50",
    "Hayashi M. Clin Exp Nephrol 2013;17:498-503 (that criteria exist was read; their content was not)",
    2013,
    _MEMORY,
)
E51 = _cite("E51", "Digest of the VA criteria for use, cinacalcet", None, _SECONDARY)
E52 = _cite("E52", "Gabapentin dosing in dialysis: pages quoting the US label", None, _SECONDARY)
E53 = _cite(
    "E53",
    "SNOMED CT 714152005 in a public FHIR profile repository; NLM value sets in public eCQM repositories",
    None,
)
E54 = _cite("E54", "Digest quoting Kidney Int 2025 (original not read)", 2025, _SECONDARY)
E55 = _cite("E55", "Warfarin label digest (pregnancy)", None, _SECONDARY)
E56 = _cite("E56", "FDA drug safety podcast, January 2024: denosumab in advanced CKD", 2024)
E57 = _cite("E57", "Ren Fail 2020 (hungry bone syndrome)", 2020, doi="10.1080/0886022X.2020.1841655")
E58 = _cite("E58", "McCarthy JT et al. Mayo Clin Proc 2016, via Renal & Urology News", 2016, _SECONDARY)
E59 = _cite("E59", "Articles on the FDA clinical decision support guidance of January 2026", 2026, _SECONDARY)
E60 = _cite("E60", "MHRA Drug Safety Update, July 2016: warfarin and calciphylaxis (gov.uk)", 2016)
E61 = _cite("E61", "Medsafe Prescriber Update 38(3)", 2017)
E62 = _cite("E62", "FDA labelling change for warfarin, NDA 009218, August 2017 (patient counselling)", 2017)
E63 = _cite("E63", "PMC7490082, Table 2 (opioids in haemodialysis)", None, pmc="PMC7490082")
E64 = _cite("E64", "Rivara MB et al. J Am Soc Nephrol 2015", 2015, pmc="PMC4483586")
E65 = _cite("E65", "Siontis KC et al. Circulation 2018;138:1519-29", 2018)
E66 = _cite("E66", "PMC9262829 (veterans on dialysis, warfarin)", None, pmc="PMC9262829")
E67 = _cite("E67", "Nigwekar SU et al. N Engl J Med 2018;378:1704-14 (front page only)", 2018)
E68 = _cite(
    "E68",
    "Nigwekar SU et al. Am J Kidney Dis 2015;66:133-46 (table of mimics)",
    2015,
    doi="10.1053/j.ajkd.2015.01.034",
)
E69 = _cite("E69", "Russ P et al. BMC Nephrol 2019", 2019)
E70 = _cite("E70", "HL7 cds-hooks repository, CodeSystem non-adherence-reason-codes", None)

CITATIONS: tuple[Citation, ...] = tuple(_all)
