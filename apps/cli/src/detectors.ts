import { detectors } from "@cidadao/detectors/registry";
import type { Command } from "./command.ts";

export const detectorsCommand: Command = {
  usage: "detectors",
  summary: "Every detector and the question it answers",
  run: (_args, { write }) => {
    for (const { id, version, title, question } of detectors) write(`${id} v${version}\n    ${title}. ${question}`);
    return Promise.resolve(0);
  },
};
