import type { Child } from "hono/jsx";
import type { z } from "zod";

/** What was filled in, and what is wrong with it. */
export interface FormState {
  readonly values: Readonly<Record<string, string>>;
  /** By the name of the field. */
  readonly errors: Readonly<Record<string, string>>;
}

/** A form that nobody filled in yet, with what it starts with. */
export function blankForm(values: Readonly<Record<string, string>> = {}): FormState {
  return { values, errors: {} };
}

/** What was filled in, checked. */
export type CheckedForm<T> =
  | { readonly kind: "ok"; readonly data: T }
  | { readonly kind: "wrong"; readonly form: FormState };

/** Checks a form; fields that were left empty count as absent. */
export function checkForm<Schema extends z.ZodObject>(
  schema: Schema,
  values: Readonly<Record<string, string>>,
): CheckedForm<z.output<Schema>> {
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
  const result = schema.safeParse(given);
  if (result.success) return { kind: "ok", data: result.data };
  const errors = result.error.issues.map(({ path, message, code }) => [
    String(path[0] ?? ""),
    code === "invalid_type" && given[String(path[0])] === undefined ? "is needed" : message,
  ]);
  return { kind: "wrong", form: { values, errors: Object.fromEntries(errors) } };
}

interface FieldProps {
  readonly form: FormState;
  readonly name: string;
  readonly label: string;
  readonly hint?: Child;
  readonly isFull?: boolean;
}

/** A field with its label, its hint and its error. */
function Field(
  { form, name, label, hint, isFull = false, children }: FieldProps & { children?: Child },
) {
  const error = form.errors[name];
  return (
    <div class={isFull ? "field full" : "field"}>
      <label for={`field-${name}`}>{label}</label>
      {children}
      {error !== undefined && <p class="field-error" id={`field-${name}-error`}>{error}</p>}
      {hint !== undefined && <p class="field-hint" id={`field-${name}-hint`}>{hint}</p>}
    </div>
  );
}

/** What every control of a field has. */
function controlProps({ form, name, hint }: FieldProps) {
  const hasError = form.errors[name] !== undefined;
  const described = [
    hasError ? `field-${name}-error` : "",
    hint === undefined ? "" : `field-${name}-hint`,
  ].filter(Boolean).join(" ");
  return {
    class: "input",
    id: `field-${name}`,
    name,
    "aria-invalid": hasError ? "true" as const : undefined,
    "aria-describedby": described === "" ? undefined : described,
  };
}

/** A line of text. */
export function TextField(
  {
    type = "text",
    placeholder,
    required = false,
    autofocus = false,
    list,
    complete = "off",
    ...field
  }:
    & FieldProps
    & {
      type?: "text" | "password" | "search";
      placeholder?: string;
      required?: boolean;
      autofocus?: boolean;
      /** The id of suggestions. */
      list?: string;
      complete?: string;
    },
) {
  return (
    <Field {...field}>
      <input
        {...controlProps(field)}
        type={type}
        value={field.form.values[field.name] ?? ""}
        placeholder={placeholder}
        required={required}
        autofocus={autofocus}
        list={list}
        autocomplete={complete}
        autocapitalize="none"
        spellcheck={false}
        data-search={type === "search" ? "" : undefined}
      />
    </Field>
  );
}

/** Several lines of text. */
export function TextArea(
  { rows = 10, isCode = false, ...field }: FieldProps & {
    rows?: number;
    /** Whether it is written by rules, so that each letter counts. */
    isCode?: boolean;
  },
) {
  const look = isCode ? "input code" : "input";
  return (
    <Field {...field}>
      <textarea {...controlProps(field)} class={look} rows={rows} spellcheck={!isCode}>
        {field.form.values[field.name] ?? ""}
      </textarea>
    </Field>
  );
}

/** A choice of one. */
export function SelectField(
  { options, submits = false, ...field }: FieldProps & {
    options: readonly { readonly value: string; readonly text: string }[];
    /** Whether choosing sends the form. */
    submits?: boolean;
  },
) {
  const chosen = field.form.values[field.name] ?? "";
  return (
    <Field {...field}>
      <select {...controlProps(field)} data-submit-on-change={submits ? "" : undefined}>
        {options.map(({ value, text }) => (
          <option value={value} selected={value === chosen}>{text}</option>
        ))}
      </select>
    </Field>
  );
}

/** A button that does one thing at once, by a form of its own. */
export function ActionButton(
  { action, values, label, isDangerous = false, isSmall = true }: {
    action: string;
    values: Readonly<Record<string, string>>;
    label: Child;
    isDangerous?: boolean;
    isSmall?: boolean;
  },
) {
  const look = `button${isSmall ? " small" : ""}${isDangerous ? " danger" : ""}`;
  return (
    <form method="post" action={action}>
      {Object.entries(values).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <button type="submit" class={look}>{label}</button>
    </form>
  );
}
