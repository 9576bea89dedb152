// Texts: one namespace (file) per page folder in src/locales/{zh,en}, loaded when a component first asks for it
// with `useTranslation('programs')`; React waits meanwhile (Suspense in the layout).
import i18next, { type BackendModule } from 'i18next';
import { initReactI18next } from 'react-i18next';
import { getLanguage, localeOf, setLanguage, type Language } from './settings';

type Texts = Record<string, unknown>;
const files = import.meta.glob<Texts>('../locales/*/*.json', { import: 'default' });

const lazyFiles: BackendModule = {
  type: 'backend',
  init() {},
  read(language, namespace, done) {
    const load = files[`../locales/${language}/${namespace}.json`];
    if (!load) return done(new Error(`no texts ${language}/${namespace}`), false);
    load().then(
      (texts) => done(null, texts),
      (error: Error) => done(error, false),
    );
  },
};

function showLanguage(language: Language) {
  document.documentElement.lang = localeOf(language);
}

/** Starts i18next with the namespaces that every page of an entry needs. */
export async function startI18n(namespaces: string[]) {
  showLanguage(getLanguage());
  await i18next
    .use(lazyFiles)
    .use(initReactI18next)
    .init({
      lng: getLanguage(),
      supportedLngs: ['zh', 'en'],
      fallbackLng: false,
      ns: namespaces,
      defaultNS: 'common',
      interpolation: { escapeValue: false }, // React escapes
      returnNull: false,
    });
}

export async function changeLanguage(language: Language) {
  await i18next.changeLanguage(language);
  setLanguage(language);
  showLanguage(language);
}
