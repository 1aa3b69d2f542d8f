/** `work` done once for each input and kept as long as the input is: what several detectors need of one frame. */
export function once<Input extends object, Output>(work: (input: Input) => Output): (input: Input) => Output {
  const done = new WeakMap<Input, Output>();
  return (input) => {
    const known = done.get(input);
    if (known !== undefined) return known;
    const output = work(input);
    done.set(input, output);
    return output;
  };
}
