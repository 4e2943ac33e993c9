// The build gives style sheets as texts, for a host to adopt in its document or shadow root.
declare module "*.css" {
  const text: string;
  export default text;
}
