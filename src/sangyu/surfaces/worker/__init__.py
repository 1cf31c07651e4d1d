"""The worker's phone: today's visits, one big button a step, proof, a queue for dead spots (R-085, ux §6F)."""
