import type { Agent } from "./define-agent.ts";
import { explainer } from "./explainer.ts";

/** Alphabetical by id. */
export const agents: readonly Agent[] = [explainer];
