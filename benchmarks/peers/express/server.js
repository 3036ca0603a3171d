// A CDS Hooks service on Express with the small rule, for comparison only.
const express = require("express");

const DIALYSIS = new Set(["N18.6", "Z99.2"]);
const WARFARIN = new Set(["855332"]);
const [CALCIUM, PHOSPHATE, GOAL] = ["17861-6", "2777-1", 55];

const resources = (prefetch, key) => (prefetch[key]?.entry ?? []).map((entry) => entry.resource);
const has = (concept, wanted) => (concept.coding ?? []).some((coding) => wanted.has(coding.code));

function latest(labs, code) {
  const wanted = new Set([code]);
  const found = labs.filter((lab) => has(lab.code, wanted));
  if (found.length === 0) return undefined;
  const newest = found.reduce((a, b) => (b.effectiveDateTime > a.effectiveDateTime ? b : a));
  return newest.valueQuantity.value;
}

function cards(prefetch) {
  if (!resources(prefetch, "conditions").some((each) => has(each.code, DIALYSIS))) return [];
  if (!resources(prefetch, "orders").some((each) => has(each.medicationCodeableConcept, WARFARIN))) return [];
  const labs = resources(prefetch, "labs");
  const product = latest(labs, CALCIUM) * latest(labs, PHOSPHATE);
  if (!(product > GOAL)) return [];
  return [
    {
      summary: `Warfarin on dialysis with Ca x P ${product.toFixed(1)} mg2/dL2: check indication and alternatives.`,
      detail: "The latest calcium and phosphate are multiplied.",
      indicator: "warning",
      source: { label: "small rule" },
    },
  ];
}

const app = express();
app.use(express.json({ limit: "10mb" }));
app.get("/cds-services", (request, response) => response.json({ services: [] }));
app.post("/cds-services/:id", (request, response) => response.json({ cards: cards(request.body.prefetch ?? {}) }));
app.listen(Number(process.argv[2]), "127.0.0.1");
