import { en, type Texts } from './en';
export const ar: Texts = en;
