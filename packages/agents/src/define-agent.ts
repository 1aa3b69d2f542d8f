export type AgentSpec = {
  /** Named for the job; also the file's name. */
  id: string;
  /** The persona people know; a display name, nothing more. */
  name: string;
  /** One word or two: what it does. */
  job: string;
  /** The job in one Portuguese line, for lists that people read. */
  title: string;
  description: string;
  /** What the agent may speak from; an agent has no other tools. */
  reads: "findings";
  /** The system prompt. Data never goes in here. */
  instructions: readonly string[];
  tokensMax: number;
  temperature: number;
};

export type Agent = Omit<AgentSpec, "instructions"> & { system: string };

/** An agent is data: what it is for, what it is told, and its bounds. */
export function defineAgent(spec: AgentSpec): Agent {
  const { instructions, ...fields } = spec;
  return { ...fields, system: instructions.join("\n") };
}
