import { useCallback, type RefCallback } from 'react';

/** Sets a CSS property of an element through its object model, which the policy allows where it forbids the attribute. */
export function useCss(name: `--${string}`, value: string | number): RefCallback<HTMLElement> {
  return useCallback(
    (element: HTMLElement | null) => {
      element?.style.setProperty(name, String(value));
    },
    [name, value],
  );
}
