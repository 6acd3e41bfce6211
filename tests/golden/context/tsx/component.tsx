import * as React from "react";
import { Button, type ButtonProps } from "./button";

interface Props extends ButtonProps {
  title: string;
  children?: React.ReactNode;
}

export const Card: React.FC<Props> = ({ title, children, ...rest }) => {
  const [open, setOpen] = React.useState(false);
  return (
    <section className="card" onClick={() => setOpen(!open)}>
      <h2>{title}</h2>
      {open && children}
      <Button {...rest} />
    </section>
  );
};

export const Input = React.forwardRef<HTMLInputElement, Props>(({ title, ...rest }, ref) => {
  return <input ref={ref} title={title} {...rest} />;
});
Input.displayName = "Input";

export function useToggle(initial = false): [boolean, () => void] {
  const [value, setValue] = React.useState(initial);
  return [value, () => setValue((v) => !v)];
}

const icon = (
  <svg viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" strokeWidth="2">
    <path d="M4 4h16v16H4z" />
    <path d="M9 9h6v6H9z" />
  </svg>
);

export default function App({ items }: { items: string[] }): JSX.Element {
  return <>{items.map((item) => <Card key={item} title={item}>{icon}</Card>)}</>;
}
